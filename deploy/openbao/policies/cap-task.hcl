# Every task token has this beside the policies of its capabilities. Nobody but Mayfly ever holds a task token.

# Where minted material waits for its fetch. It dies with the token.
path "cubbyhole/*" {
  capabilities = ["create", "read", "update", "delete"]
}

# A token or lease that did not come out as asked is ended at once by the token itself.
# A lease id is unguessable, so a task token can name its own leases only.
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
path "sys/leases/revoke" {
  capabilities = ["update"]
}

# The database engine takes no wish for a lease's life; renewing the fresh lease sets it, at the target as well.
path "sys/leases/renew" {
  capabilities = ["update"]
}

# A sub-task's token is a child: Vault refuses it every policy that this token lacks, and ends it with this token.
path "auth/token/create" {
  capabilities = ["update"]
  required_parameters = ["policies", "explicit_max_ttl", "no_default_policy", "renewable", "type"]
  allowed_parameters = {
    "policies"          = []
    "ttl"               = []
    "explicit_max_ttl"  = []
    "display_name"      = []
    "meta"              = []
    "no_default_policy" = [true]
    "renewable"         = [false]
    "type"              = ["service"]
  }
}
