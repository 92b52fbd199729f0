path "pki/issue/service" {
  capabilities = ["update"]
}
