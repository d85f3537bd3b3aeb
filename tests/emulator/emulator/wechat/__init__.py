"""WeChat Pay API v3 as a direct merchant meets it."""
