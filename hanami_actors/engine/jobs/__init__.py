"""What runs in turns on a host: training, requests, loading and saving."""
