#!/bin/sh
# Lets Mayfly's provisioner into a HashiCorp Vault, which cannot initialize itself as OpenBao does (deploy/openbao/server.hcl.tmpl).
# Run once, by a person, with a token that may enable auth methods and write policies; revoke that token afterwards.
#
#   VAULT_ADDR=… VAULT_TOKEN=… SERVICE_JWT_PUBKEY_FILE=services.pub.pem deploy/vault/bootstrap.sh
set -eu
: "${VAULT_ADDR:?}" "${VAULT_TOKEN:?}" "${SERVICE_JWT_PUBKEY_FILE:?}"
here=$(dirname "$0")

vault auth list -format=json | grep -q '"jwt/"' || vault auth enable -description="Mayfly's own services, by JWT-SVID" jwt
vault write auth/jwt/config jwt_validation_pubkeys=@"$SERVICE_JWT_PUBKEY_FILE"
vault policy write provisioner "$here/provisioner.hcl"
vault write auth/jwt/role/mayfly-provisioner \
  role_type=jwt user_claim=sub \
  bound_subject=spiffe://example.org/mayfly/provisioner bound_audiences=vault \
  clock_skew_leeway=30 expiration_leeway=30 not_before_leeway=30 \
  token_policies=provisioner token_no_default_policy=true token_ttl=5m token_max_ttl=5m

echo 'Next: node deploy/openbao/provision.mjs with the identity of the provisioner, and: vault token revoke -self'
