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

# What a capability is in Vault, to compare it with what the catalogue declares. None of these holds anything secret: what a role, a key or a
# stored object is, never what it opens. Add the mounts of your own capabilities here.
path "sys/policies/acl/cap-*" {
  capabilities = ["read"]
}
path "database/roles/+" {
  capabilities = ["read"]
}
path "pki/roles/+" {
  capabilities = ["read"]
}
path "ssh/roles/+" {
  capabilities = ["read"]
}
path "transit/keys/+" {
  capabilities = ["read"]
}
path "transit/keys/mayfly-*" {
  capabilities = ["deny"]
}
path "kv/metadata/*" {
  capabilities = ["read"]
}
