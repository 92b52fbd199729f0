path "transit/datakey/plaintext/payload" {
  capabilities = ["update"]
}
