"""The doors of a `ClientContext`: a handler's only way to files, people and the client."""
