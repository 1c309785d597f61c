"""Audio files of open catalogues: downloaded within bounds, analysed, recorded, deleted."""
