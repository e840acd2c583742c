"""The small web module that serves the gallery, the labelling page, the reports and the console."""
