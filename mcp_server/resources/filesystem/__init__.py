"""The parts of `FileSystemManager`: roots, locations, pinned objects, results and limits."""
