# revoker: ends things and looks whether they are gone. It can create and read nothing that is secret.
# Whether a certificate is revoked (pki/cert/<serial>) anybody may ask.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
path "sys/leases/lookup" {
  capabilities = ["update"]
}
path "auth/token/revoke-accessor" {
  capabilities = ["update"]
}
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}
# A certificate whose lease the secrets engine has forgotten.
path "pki/revoke" {
  capabilities = ["update"]
}
