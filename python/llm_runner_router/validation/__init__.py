"""The limits of requests, checked before anything is done for them."""
