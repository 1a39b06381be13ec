/** ASN.1 in DER (ITU-T X.690), as far as certificates, keys, signatures and time stamps need it. */
export * from './der-reader.js';
export * from './der-writer.js';
