"""The command line (extra ``comfydeploy[emulator]``)."""
