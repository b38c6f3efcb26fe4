// One file on its way: a pure fold of what the browser and the job report, and its sentence for people.
import type { JobEvent, Material, Progress, Uploaded } from "../api/types";

export type UploadPhase = "waiting" | "sending" | "stored" | "failed" | "cancelled";

export interface Upload {
  key: string;
  name: string;
  phase: UploadPhase;
  sent: number;
  size: number;
  materialId: string | null;
  duplicate: boolean;
  error: string | null;
}

export type UploadEvent =
  | { type: "start" }
  | { type: "sent"; bytes: number; size: number }
  | { type: "stored"; uploaded: Uploaded }
  | { type: "failed"; error: string }
  | { type: "cancelled" };

export function newUpload(key: string, name: string, size: number): Upload {
  return { key, name, phase: "waiting", sent: 0, size, materialId: null, duplicate: false, error: null };
}

export function uploadStep(upload: Upload, event: UploadEvent): Upload {
  switch (event.type) {
    case "start":
      return { ...upload, phase: "sending", sent: 0, error: null };
    case "sent":
      if (upload.phase !== "sending") return upload;
      return { ...upload, sent: Math.max(upload.sent, event.bytes), size: event.size || upload.size };
    case "stored":
      return {
        ...upload,
        phase: "stored",
        sent: upload.size,
        materialId: event.uploaded.material_id,
        duplicate: event.uploaded.duplicate,
      };
    case "failed":
      return { ...upload, phase: "failed", error: event.error };
    case "cancelled":
      return upload.phase === "stored" ? upload : { ...upload, phase: "cancelled" };
  }
}

export function uploadSentence(upload: Upload): string {
  switch (upload.phase) {
    case "waiting":
      return "Waiting for its turn";
    case "sending":
      if (upload.size > 0 && upload.sent >= upload.size) return "Sent, being stored…";
      return `Sending, ${percent(upload.sent, upload.size)} of ${megabytes(upload.size)}`;
    case "stored":
      return upload.duplicate ? "This file was already here; nothing was added twice." : "Stored";
    case "failed":
      return upload.error ?? "The upload failed.";
    case "cancelled":
      return "Upload stopped";
  }
}

/** The material with what its job says now. A final job keeps the row's last words until the list is read again. */
export function withJob(material: Material, job: JobEvent): Material {
  if (material.job_id !== job.job_id) return material;
  const progress: Progress = { done: job.done, total: job.total, message: job.message };
  if (job.status === "failed") return { ...material, status: "failed", error: job.error ?? material.error, progress };
  if (job.status === "cancelled") return { ...material, status: "cancelled", progress };
  const started = material.status === "queued" && job.status === "running" ? "processing" : material.status;
  return { ...material, status: started, progress };
}

export function isUnfinished(material: Material): boolean {
  return material.status === "queued" || material.status === "processing" || material.status === "searchable";
}

export function materialSentence(material: Material): string {
  const counted = progressWords(material.progress);
  switch (material.status) {
    case "queued":
      return "Waiting to be read";
    case "processing":
      return counted || "Reading…";
    case "searchable":
      return counted ? `You can ask already. ${counted}` : "You can ask already, it is still being indexed";
    case "ready":
      return material.page_count ? `Ready, ${material.page_count} ${material.page_count === 1 ? "page" : "pages"}` : "Ready";
    case "failed":
      return material.error ?? "This file could not be read.";
    case "cancelled":
      return "Cancelled";
  }
}

/** 0..1, or null when nobody knows how much there is. */
export function progressFraction(progress: Progress | null): number | null {
  if (!progress?.total || progress.total <= 0) return null;
  return Math.min(1, Math.max(0, progress.done / progress.total));
}

function progressWords(progress: Progress | null): string {
  if (!progress) return "";
  if (progress.message) return progress.message;
  return progress.total && progress.done > 0 ? `Page ${progress.done} of ${progress.total}` : "";
}

function percent(part: number, whole: number): string {
  return whole > 0 ? `${Math.floor((100 * part) / whole)} %` : "0 %";
}

export function megabytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}
