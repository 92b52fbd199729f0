# reconciler (a second role of the revoker): lists what exists, to find what the ledger does not know. It ends nothing and reads no secret.
# Lists of accessors and leases want sudo; each has its path with and without the slash that a list request gets.
path "auth/token/accessors" {
  capabilities = ["list", "sudo"]
}
path "auth/token/accessors/" {
  capabilities = ["list", "sudo"]
}
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}
path "sys/leases/lookup/database/creds/+" {
  capabilities = ["list", "sudo"]
}
path "sys/leases/lookup/database/creds/+/" {
  capabilities = ["list", "sudo"]
}
path "sys/leases/lookup/pki/issue/+" {
  capabilities = ["list", "sudo"]
}
path "sys/leases/lookup/pki/issue/+/" {
  capabilities = ["list", "sudo"]
}
path "sys/leases/count" {
  capabilities = ["read"]
}
path "pki/certs" {
  capabilities = ["list"]
}
path "pki/certs/" {
  capabilities = ["list"]
}
