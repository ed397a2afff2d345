"""What an address such as `s3://bucket/orders/*.parquet` names."""
