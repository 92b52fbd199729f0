# evidence: signs with its own key, and reads that key's public half for whoever verifies.
path "transit/sign/mayfly-evidence" {
  capabilities = ["update"]
}
path "transit/keys/mayfly-evidence" {
  capabilities = ["read"]
}
