# revoker: ends things and looks whether they are gone. It can create and read nothing that is secret.
# Whether a certificate is revoked (pki/cert/<serial>) anybody may ask.
# Only leases of the engines that mint for tasks: a login's, or another application's, is none of its business.
path "sys/leases/revoke" {
  capabilities       = ["update"]
  allowed_parameters = { lease_id = ["database/creds/*", "pki/issue/*"], sync = [] }
}
path "sys/leases/lookup" {
  capabilities       = ["update"]
  allowed_parameters = { lease_id = ["database/creds/*", "pki/issue/*"] }
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
