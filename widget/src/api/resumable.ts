// Large files go by tus (tus.io): what broke off goes on where it stopped, also after a reload with the same file.
import { DetailedError, type HttpResponse, Upload } from "tus-js-client";
import { type Api, problemError } from "./http";
import type { Uploaded } from "./types";

const PART_BYTES = 8e6;
const RETRY_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];

/** Sends one file in parts. Fails as ApiError (the server said no), TypeError (nobody answered) or AbortError. */
export function sendResumable(
  api: Api,
  file: File,
  classId: string,
  onProgress: (sent: number, total: number) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    let answer: HttpResponse | null = null;
    let session: Promise<unknown> | null = null;
    const upload = new Upload(file, {
      endpoint: api.url("/api/uploads/tus"),
      metadata: { filename: file.name, class_id: classId },
      // The same file in another class is another upload.
      fingerprint: () => Promise.resolve(["lyceum", classId, file.name, file.size, file.lastModified].join(":")),
      chunkSize: PART_BYTES,
      retryDelays: RETRY_MS,
      removeFingerprintOnSuccess: true,
      onBeforeRequest: async (request) => {
        await session;
        const raw: unknown = request.getUnderlyingObject();
        if (raw instanceof XMLHttpRequest) raw.withCredentials = api.base.origin !== location.origin;
      },
      onAfterResponse: (_request, response) => {
        answer = response;
      },
      onShouldRetry: (error) => {
        const status = error instanceof DetailedError ? (error.originalResponse?.getStatus() ?? 0) : 0;
        if (status === 401) session = api.refresh();
        return status === 0 || status === 401 || status === 409 || status === 423 || status === 429 || status >= 500;
      },
      onProgress: (sent, total) => onProgress(sent, total),
      onError: (error) => reject(failure(error)),
      onSuccess: () => {
        const uploaded = outcome(answer);
        if (uploaded) resolve(uploaded);
        else reject(new TypeError("the server did not say what became of the file"));
      },
    });
    signal.addEventListener(
      "abort",
      () => {
        void upload.abort(true).catch(() => undefined);
        reject(new DOMException("stopped", "AbortError"));
      },
      { once: true },
    );
    void upload.findPreviousUploads().then((earlier) => {
      const last = earlier.at(-1);
      if (last) upload.resumeFromPreviousUpload(last);
      if (!signal.aborted) upload.start();
    });
  });
}

function outcome(response: HttpResponse | null): Uploaded | null {
  const material = response?.getHeader("Lyceum-Material");
  if (!material) return null;
  return {
    material_id: material,
    job_id: response?.getHeader("Lyceum-Job") ?? null,
    duplicate: response?.getHeader("Lyceum-Duplicate") === "true",
  };
}

function failure(error: Error): Error {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (!response || response.getStatus() === 0) return new TypeError("the upload broke off");
  return problemError(response.getStatus(), response.getBody());
}
