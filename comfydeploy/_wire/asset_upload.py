"""The upload of an asset, as steps: get a signed address, send the file to the storage, register it."""

from typing import Any, Final

from attrs import evolve, frozen

from comfydeploy._wire.fate import is_refused, with_fate
from comfydeploy._wire.operation import Operation, returning
from comfydeploy._wire.polling import Backoff
from comfydeploy._wire.route import FOLDER, TEXT, at_least, posting_values, route
from comfydeploy._wire.storage import checked_address
from comfydeploy._wire.timeline import READ_LIMIT, Actions, Timeline
from comfydeploy._wire.upload import StorageUpload, checked_storage_upload
from comfydeploy.errors import Error, InvalidRequestError, SDKValidationError
from comfydeploy.models.asset import Asset
from comfydeploy.models.document import Document
from comfydeploy.result import Failure, Result, Success

_LOOKS: Final = 3
_NOT_STORED: Final = "The file was not stored, so there is no asset."


@frozen(kw_only=True)
class _Target(Document):
    """Where the file goes: ``url`` is the signed address, ``download_url`` the address that the asset will have."""

    url: str
    download_url: str
    file_id: str
    db_path: str


_PRESIGN: Final = Operation(
    "get_asset_upload_url_assets_presigned_url_get",
    route("GET", "/assets/presigned-url", file_name=TEXT, parent_path=FOLDER, size=at_least(0), type=TEXT),
    returning(_Target),
    creates="nothing",
)
_REGISTER: Final = Operation(
    "register_asset_assets_register_post",
    posting_values(
        "/assets/register", file_id=TEXT, file_name=TEXT, file_size=at_least(0), db_path=TEXT, url=TEXT, mime_type=TEXT
    ),
    returning(Asset),
    creates="asset",
)


def storing(  # noqa: PLR0913 - what a caller may choose, by name
    timeline: Timeline,
    reading: Operation[Any, Asset],
    *,
    file: object,
    parent_path: object,
    name: object,
    progress: object,
) -> Actions[Result[Asset, Error]]:
    """Upload a file and return its asset; ``reading`` reads an asset, to find one whose response was lost."""
    upload = checked_storage_upload(file, name, progress)
    arguments = {"file_name": upload.name, "parent_path": parent_path, "size": upload.size, "type": upload.media_type}
    signed = yield from timeline.send(_PRESIGN, arguments, retries=True)
    if not isinstance(signed, Success):
        return Failure(with_fate(signed.failure(), "not_sent", _NOT_STORED))
    target = signed.unwrap()
    try:
        checked_address(target.url)
    except InvalidRequestError:
        reason = "The server's response: $.url: expected an address of a storage"
        return Failure(SDKValidationError(reason, (), target.url, hint=_NOT_STORED))
    stored = yield from timeline.store(target.url, upload)
    if not isinstance(stored, Success):
        return Failure(with_fate(stored.failure(), "not_sent", _NOT_STORED))
    return (yield from _registered(timeline, reading, target, upload))


def _registered(
    timeline: Timeline, reading: Operation[Any, Asset], target: _Target, upload: StorageUpload
) -> Actions[Result[Asset, Error]]:
    """Register a file that is stored; where the response is lost, look for the asset by its id."""
    arguments = {
        "file_id": target.file_id,
        "file_name": upload.name,
        "file_size": upload.size,
        "db_path": target.db_path,
        "url": target.download_url,
        "mime_type": upload.media_type,
    }
    result = yield from timeline.send(_REGISTER, arguments)
    if isinstance(result, Success) or is_refused(result.failure()):
        return result
    backoff = Backoff()
    for _ in range(_LOOKS):
        yield from timeline.sleep(min(backoff.next(timeline.dice), max(timeline.deadline - timeline.now, 0)))
        found = yield from timeline.send(reading, {"asset_id": target.file_id}, until=timeline.now + READ_LIMIT)
        if isinstance(found, Success):
            return found
    hint = f"The file is stored, but its asset was not found. Look again with asset_get({target.file_id!r})."
    return Failure(with_fate(evolve(result.failure(), hint=hint), "unknown"))
