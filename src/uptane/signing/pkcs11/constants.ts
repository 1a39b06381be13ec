/** The numbers of PKCS #11 (OASIS, versions 2.40 and 3.0) that are needed here, under their names there. */

export const CKR_OK = 0;
/** Already initialised in this process. */
export const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;
export const CKR_USER_ALREADY_LOGGED_IN = 0x100;

/** Return values that people can act on. */
export const RETURN_VALUES: ReadonlyMap<number, string> = new Map([
  [0x05, 'the module has failed'],
  [0x30, 'the device has failed'],
  [0x32, 'the device was removed'],
  [0x70, 'the token does not support the mechanism'],
  [0xa0, 'the PIN is wrong'],
  [0xa1, 'the PIN is invalid'],
  [0xa2, 'the PIN has the wrong length'],
  [0xa3, 'the PIN has expired'],
  [0xa4, 'the PIN is locked after too many wrong ones'],
  [0xe0, 'the token is not present'],
  [0x102, 'the user’s PIN is not initialised'],
]);

export const CKF_RW_SESSION = 0x2;
export const CKF_SERIAL_SESSION = 0x4;
export const CKU_USER = 1;

export const CKA_CLASS = 0x0;
export const CKA_TOKEN = 0x1;
export const CKA_PRIVATE = 0x2;
export const CKA_LABEL = 0x3;
export const CKA_KEY_TYPE = 0x100;
export const CKA_ID = 0x102;
export const CKA_SENSITIVE = 0x103;
export const CKA_SIGN = 0x108;
export const CKA_VERIFY = 0x10a;
export const CKA_MODULUS = 0x120;
export const CKA_MODULUS_BITS = 0x121;
export const CKA_PUBLIC_EXPONENT = 0x122;
export const CKA_EXTRACTABLE = 0x162;
export const CKA_EC_PARAMS = 0x180;
export const CKA_EC_POINT = 0x181;

export const CKO_PUBLIC_KEY = 2;
export const CKO_PRIVATE_KEY = 3;

export const CKK_RSA = 0x0;
export const CKK_EC = 0x3;
export const CKK_EC_EDWARDS = 0x40;

export const CKM_RSA_PKCS_KEY_PAIR_GEN = 0x0;
export const CKM_SHA256_RSA_PKCS_PSS = 0x43;
export const CKM_SHA256 = 0x250;
export const CKM_EC_KEY_PAIR_GEN = 0x1040;
export const CKM_ECDSA = 0x1041;
export const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055;
export const CKM_EDDSA = 0x1057;
export const CKG_MGF1_SHA256 = 2;
