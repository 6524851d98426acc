"""Those who carry letters, one file each; `registry` knows them by name."""
