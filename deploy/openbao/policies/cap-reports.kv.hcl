path "kv/data/reports/daily" {
  capabilities = ["read"]
}
