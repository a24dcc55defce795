#!/usr/bin/env bash
# The night's batch: ships the orders that are named, each with a token that can do nothing else.
#
#   PATMINT_ISSUER=… PATMINT_TOKEN=pat_… ORDERS_URL=http://localhost:8701 ./ship-orders.sh 1 2
#
# The PAT stays with `patmint`; the service never sees it, and no token stands on a command line.
set -euo pipefail

patmint=${PATMINT:-patmint}

for order in "$@"; do
  token=$("$patmint" token --audience https://orders.example.com --scope "orders/$order:ship")
  printf 'Authorization: Bearer %s' "$token" |
    curl -sS --fail-with-body -X POST -H @- "$ORDERS_URL/orders/$order/ship"
  echo
done
