// URNs that travel on the wire: RFC 8693 sections 2.1 and 3, and Patmint's own.

export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'

export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'
export const PAT_TYPE = 'urn:patmint:token-type:pat'
