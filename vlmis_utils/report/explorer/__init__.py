"""The explorer: any scene of a run, under any condition, in a page that needs no server."""

from vlmis_utils.report.explorer.files import PICTURES, Written, scene_link, write_explorer

__all__ = ["PICTURES", "Written", "scene_link", "write_explorer"]
