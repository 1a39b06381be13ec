/**
 * Every error of our HTTP interfaces: its code, the status of the answer, its meaning, and the remedy (contract section 4;
 * RFC 9110, section 15).
 */
export interface ErrorMeaning {
  readonly status: number;
  readonly meaning: string;
  readonly remedy: string;
}

const error = (status: number, meaning: string, remedy: string): ErrorMeaning => ({
  status,
  meaning,
  remedy,
});

const LOOK_AGAIN = 'Check the identifier, or list the existing ones.';
const TRY_LATER = 'Retry later, with backoff.';

/** The catalogue of errors, by code; codes are stable (contract section 4). */
export const ERRORS = {
  // Who is calling
  UNAUTHORIZED: error(
    401,
    'No token came with the request, or it is unknown or revoked.',
    'Send a valid token in the header authorization-token.',
  ),
  FORBIDDEN: error(
    403,
    'The role of the token does not allow this.',
    'Use a token with a role that grants it.',
  ),
  OUT_OF_SCOPE: error(
    403,
    'The caller is limited to certain vehicle models; the request concerns other models, all models, or an unknown object.',
    'Use a token without this limit, or request only vehicles and operations of these models.',
  ),
  FORGED_REQUEST: error(
    403,
    'A request by cookie did not come from this server’s own pages.',
    'Programs send the token in the header authorization-token, not a cookie.',
  ),
  SIGN_IN_AGAIN: error(
    403,
    'This action requires a recent sign-in at the OpenID Connect provider.',
    'Sign in again at /v1.0/session/sign-on?again=true, and repeat the request.',
  ),
  SIGN_ON_NOT_SET_UP: error(
    404,
    'This server has no OpenID Connect provider.',
    'Sign in with a token.',
  ),
  LOGOUT_TOKEN_REFUSED: error(
    400,
    'The token is not a logout token of the OpenID Connect provider for this server, or has already been used.',
    'Compare issuer, client id and clock of this server with the provider’s.',
  ),
  PROVIDER_UNAVAILABLE: error(503, 'The OpenID Connect provider does not answer.', TRY_LATER),
  URL_EXPIRED: error(
    403,
    'The signed URL has expired, or was not made by this server.',
    'Request a new URL.',
  ),
  SIGNATURE_REFUSED: error(
    401,
    'The signature of a call-back does not match, or is too old.',
    'Check the shared secret and the clocks of both sides.',
  ),
  SECOND_PERSON_NEEDED: error(
    409,
    'The author of a schedule or an update script cannot approve it.',
    'Have a second person approve it.',
  ),

  // Faults of the request
  INVALID: error(
    400,
    'A parameter or a field of the body is not valid.',
    'Correct the fields listed in errors, each with its path and message.',
  ),
  NOT_JSON: error(400, 'The body is not JSON.', 'Correct it at the named line and column.'),
  NOT_UTF8: error(400, 'The body is not UTF-8.', 'Encode it as UTF-8.'),
  NOT_HTTP: error(400, 'The request is not HTTP/1.1.', 'Use an HTTP client.'),
  BODY_MISSING: error(400, 'The body is missing.', 'Send one.'),
  UNREADABLE_BODY: error(
    400,
    'The body ended early, or does not match its content-encoding.',
    'Send it again.',
  ),
  ARTIFACT_REFUSED: error(
    400,
    'The uploaded artifact is empty, or does not match the given digest.',
    'Upload it again.',
  ),
  TARGET_REFUSED: error(
    409,
    'The image repository does not accept this target.',
    'errorMessage names the reason, such as an invalid path, a decreasing release counter or missing signatures.',
  ),
  DELIVERY_REFUSED: error(
    409,
    'The image repository does not accept the supplier’s delivery.',
    'errors lists the faults, such as a path or hardware that is not delegated, or an invalid signature, version, expiry or image.',
  ),
  MANIFEST_REFUSED: error(
    400,
    'The vehicle version manifest failed a check of the Director.',
    'Correct the faults named in errorMessage and errors, and create a new manifest: the same one would be refused again.',
  ),
  METHOD_NOT_ALLOWED: error(
    405,
    'The path exists, but not with this method.',
    'Use one of the methods in the header Allow.',
  ),
  REQUEST_TIMEOUT: error(408, 'The request did not arrive in time.', 'Send it again.'),
  TOO_MANY_REQUESTS: error(
    429,
    'Too many requests of this kind are in progress, for this token or in total.',
    'Wait until one of them has ended; see Retry-After.',
  ),
  TOO_MANY_ATTEMPTS: error(
    429,
    'This address sent too many wrong tokens and is temporarily blocked.',
    'Correct the token, and retry after Retry-After.',
  ),
  SEARCH_TIMEOUT: error(
    422,
    'The search exceeded its time limit.',
    'Narrow it: a VIN prefix, a state, a shorter period.',
  ),
  BODY_TOO_LARGE: error(413, 'The body is larger than this route accepts.', 'Send less at once.'),
  URI_TOO_LONG: error(414, 'The address is too long.', 'Shorten it.'),
  UNSUPPORTED_MEDIA_TYPE: error(
    415,
    'The route does not accept this content-type.',
    'Use one listed in its documentation.',
  ),
  UNSUPPORTED_CONTENT_ENCODING: error(
    415,
    'The route does not accept this content-encoding.',
    'Use one listed in its documentation, or none.',
  ),
  RANGE_NOT_SATISFIABLE: error(
    416,
    'The artifact has no such range.',
    'Request a range within the size in content-range.',
  ),
  HEADERS_TOO_LARGE: error(431, 'The headers are too long.', 'Send fewer or shorter ones.'),

  // Missing objects
  NOT_FOUND: error(404, 'There is no such route.', 'Check the path against the documentation.'),
  OPERATION_NOT_FOUND: error(404, 'There is no operation with this ref-id.', LOOK_AGAIN),
  VEHICLE_NOT_IN_OPERATION: error(404, 'The operation has no such vehicle.', LOOK_AGAIN),
  MESSAGE_NOT_FOUND: error(404, 'The vehicle has no such message in this operation.', LOOK_AGAIN),
  DEVICE_NOT_FOUND: error(404, 'The vehicle is not registered.', 'Register it.'),
  VEHICLE_NOT_FOUND: error(404, 'There is no such vehicle.', LOOK_AGAIN),
  SYSTEM_ID_MISSING: error(
    409,
    'The vehicle has no system_id, which its client certificate must contain.',
    'Give it one with PUT /v1.0/vehicles/{vin}.',
  ),
  REQUEST_REFUSED: error(
    400,
    'The certification request (PKCS #10) is refused.',
    'Create it with an accepted key, signed by that key, with the system_id as its only common name.',
  ),
  BOOTSTRAP_USED: error(
    403,
    'A certificate for a first enrolment is no longer accepted: the vehicle has already enrolled.',
    'Have an administrator create a one-time code for the vehicle.',
  ),
  TOO_MANY_CERTIFICATES: error(
    429,
    'The vehicle has the maximum number of valid client certificates.',
    'Revoke unused ones, or wait until one expires.',
  ),
  AUTHORITY_UNAVAILABLE: error(
    503,
    'The authority for client certificates did not issue one.',
    TRY_LATER,
  ),
  ECU_NOT_FOUND: error(404, 'The vehicle has no such ECU.', 'List its ECUs.'),
  MANIFEST_NOT_FOUND: error(
    404,
    'No manifest of the vehicle has been accepted yet.',
    'Wait for its next update cycle; the list of its ECUs shows why a manifest was refused.',
  ),
  METADATA_NOT_FOUND: error(
    404,
    'The repository does not have this metadata file.',
    'Start a new cycle with timestamp.json.',
  ),
  DEAD_LETTER_NOT_FOUND: error(404, 'There is no such dead letter.', LOOK_AGAIN),
  NOTIFICATION_RULE_NOT_FOUND: error(404, 'There is no such rule for notifications.', LOOK_AGAIN),
  CALLBACK_NOT_FOUND: error(404, 'There is no such receiver of call-backs.', LOOK_AGAIN),
  TOKEN_NOT_FOUND: error(404, 'There is no such token.', LOOK_AGAIN),
  ARTIFACT_NOT_FOUND: error(404, 'There is no such artifact.', LOOK_AGAIN),
  SCRIPT_NOT_FOUND: error(404, 'There is no such update script.', LOOK_AGAIN),
  SCHEDULE_NOT_FOUND: error(404, 'There is no such schedule.', LOOK_AGAIN),
  REFUSED_EVENT_NOT_FOUND: error(404, 'There is no such refused event.', LOOK_AGAIN),
  CONSOLE_NOT_BUILT: error(404, 'The console is not built.', 'Run npm run build.'),

  // What stands against it
  REF_ID_CONFLICT: error(
    409,
    'There is an operation with this ref-id and another model or script.',
    'Choose another ref-id.',
  ),
  OPERATION_CANCELLED: error(
    409,
    'The operation is cancelled and sends no more triggers.',
    'Start a new one.',
  ),
  OPERATION_ARCHIVED: error(
    410,
    'The operation is archived: its counts are kept, its vehicles are deleted.',
    'Read its counts, or start a new operation to send again.',
  ),
  SYSTEM_ID_TAKEN: error(
    409,
    'Another vehicle has this system_id.',
    'Correct one of the two registrations.',
  ),
  TOKEN_ENDED: error(
    409,
    'The token was revoked, has expired, or already has a successor.',
    'Create another token.',
  ),
  LAST_ADMINISTRATOR: error(
    409,
    'No other token of role admin is valid for more than an hour and without a successor: without this one, no further token could be created.',
    'Create another token of role admin first.',
  ),
  NOTIFICATION_RULE_EXISTS: error(
    409,
    'There is a rule for notifications with this name.',
    'Choose another name.',
  ),
  SECRET_KEY_NOT_SET: error(
    409,
    'The request contains a secret to be stored, but the server uses an external database and has no key to encrypt it with.',
    'Start all servers on the database with --secret-key-file (OTAOPS_SECRET_KEY_FILE) and a key generated by openssl rand -base64 32.',
  ),
  CALLBACK_EXISTS: error(409, 'There is a receiver with this name.', 'Choose another name.'),
  SCRIPT_EXISTS: error(
    409,
    'There is another update script with this script-ref-id.',
    'Choose another script-ref-id: a script never changes.',
  ),
  QUOTA_EXCEEDED: error(
    409,
    'The artifacts or update scripts have reached their storage limit.',
    'Delete unused ones, or raise the limit named in errorMessage.',
  ),
  IN_USE: error(
    409,
    'The object to be deleted is still in use.',
    'Remove the uses named in errorMessage first; objects used by a schedule cannot be deleted.',
  ),
  ECU_CONFLICT: error(
    409,
    'Another ECU, of this vehicle or another one, has the key.',
    'Check which ECU has it: every ECU must have its own key.',
  ),
  SCHEDULE_EXISTS: error(409, 'There is a schedule with this ref-id.', 'Choose another ref-id.'),
  SCHEDULE_APPROVED: error(
    409,
    'The schedule was approved with its current vehicles.',
    'Plan another schedule for further vehicles.',
  ),
  SCHEDULE_STATUS: error(
    409,
    'The status of the schedule does not allow this.',
    'Check its status first.',
  ),
  SCRIPT_NOT_APPROVED: error(
    409,
    'The update script of the schedule is not approved.',
    'Have the script approved first.',
  ),
  DIGEST_MISMATCH: error(
    409,
    'The digest does not match the content to be approved: it has changed since it was read.',
    'Read it again, review the changes, and approve it by its current digest.',
  ),
  CONFLICT: error(
    409,
    'The stored data does not allow this.',
    'Read the current state, and decide again.',
  ),

  // Failures of the server
  INTERNAL_ERROR: error(500, 'Internal error in the server.', 'See the server log.'),
  CLOCK_WRONG: error(
    503,
    'The clocks of the server and of its database differ: it signs nothing until they agree.',
    TRY_LATER,
  ),
  REPOSITORY_UNAVAILABLE: error(
    503,
    'The image repository has been busy for too long, or is inconsistent: see errorMessage.',
    TRY_LATER,
  ),
  TIMESTAMP_UNAVAILABLE: error(
    503,
    'The time-stamping authority did not answer, or its time stamp does not match the request.',
    TRY_LATER,
  ),
  DATABASE_UNAVAILABLE: error(503, 'The database does not answer.', TRY_LATER),
} as const satisfies Readonly<Record<string, ErrorMeaning>>;

/** A code of the catalogue, e.g. `OPERATION_NOT_FOUND`. */
export type ErrorCode = keyof typeof ERRORS;
/** Every code, in the order of the catalogue. */
export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** Whether the catalogue has this code; another server, or a newer one, can answer with others. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERRORS, text);
