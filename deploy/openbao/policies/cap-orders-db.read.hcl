path "database/creds/orders-read" {
  capabilities = ["read"]
}
