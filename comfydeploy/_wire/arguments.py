"""The error of an argument that does not fit."""

from comfydeploy.errors import Problem, SDKValidationError


def invalid_argument(name: str, reason: str, value: object = None) -> SDKValidationError:
    """Return the error of one argument: its name and what was expected, with the value unless that is large."""
    return SDKValidationError(f"{name}: {reason}", (Problem(f"$.{name}", reason),), value)


def invalid_request(reason: str, value: object = None) -> SDKValidationError:
    """Return the error of a ``request`` that is wrong as a whole."""
    return SDKValidationError(f"request: {reason}", (Problem("$", reason),), value)
