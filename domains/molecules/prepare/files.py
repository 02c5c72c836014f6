"""Names of the files that `prepare` writes for measuring: to read one needs no data source."""

WEIGHTS = "chemnet.safetensors"
ALERTS = "alerts.csv"
