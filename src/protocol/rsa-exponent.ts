// The one public exponent an RSA key may have here.

/** 65537: with 1 anybody can sign, FIPS 186-5 allows none below it, and one as long as the modulus costs milliseconds. */
export const RSA_EXPONENT = 'AQAB'
