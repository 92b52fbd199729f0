path "database/creds/orders-write" {
  capabilities = ["read"]
}
