// What Fastify refuses before a handler runs, in the words and codes of our own refusals.

/** The part of a FastifyError that is used. */
export interface FrameworkError {
  statusCode?: number;
  code?: string;
  message: string;
}

export interface FrameworkRefusal {
  status: number;
  code: string;
  detail: string;
}

const CODES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'json-required',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'empty-body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-length',
  FST_ERR_BAD_URL: 'bad-url',
};

/** Undefined for a defect of ours. */
export function frameworkRefusal(error: FrameworkError): FrameworkRefusal | undefined {
  const { statusCode: status = 500, code = '', message } = error;
  if (status >= 500) return undefined;
  const detail = status === 415 ? 'content-type: expected application/json' : message;
  return { status, code: CODES[code] ?? 'bad-request', detail };
}
