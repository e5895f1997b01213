from observation import no_time, observed

__all__ = ["no_time", "observed"]
