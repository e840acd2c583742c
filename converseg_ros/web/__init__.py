"""The web server of the gallery, the labelling page, the reports and the console."""
