"""Buckets of clouds (`s3://`, and by the same way `az://` and `gs://`): where they are, who may in, and what fails."""
