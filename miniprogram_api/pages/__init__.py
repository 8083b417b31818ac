"""网页 (pages): plain server-rendered pages, without scripts, for any browser and screen."""
