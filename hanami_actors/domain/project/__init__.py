"""Projects: names under which users share a server."""
