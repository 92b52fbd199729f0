path "ssh/issue/bastion" {
  capabilities = ["update"]
}
