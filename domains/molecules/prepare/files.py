"""Names of the files that `prepare` writes for measuring: to read one needs no data source."""

WEIGHTS = "chemnet.safetensors"
ALERTS = "alerts.csv"

MOSES_TITLE = "Drug-like molecules of MOSES"  # title of the card of the data that others report on
