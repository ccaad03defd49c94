"""`AsyncClient` and its parts; `hanami_sdk.client._sync` is made from them."""
