path "database/creds/orders-owner" {
  capabilities = ["read"]
}
