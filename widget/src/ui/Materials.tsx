// The material of a class: uploads on their way first, then what is stored, each with one honest sentence.
import { useApp } from "../state/app";
import type { Material } from "../api/types";
import { isUnfinished, materialSentence, progressFraction, type Upload, uploadSentence } from "../state/uploads";
import { Icon } from "./icons";

export function Materials() {
  const { library } = useApp();
  const materials = library.materials.value;
  const uploads = library.uploads.value;
  if (materials === null) return <p class="activity">Loading…</p>;
  return (
    <>
      {materials.length === 0 && uploads.length === 0 && (
        <p class="empty">Nothing here yet. Drop files anywhere on the page.</p>
      )}
      <ul>
        {uploads.map((upload) => (
          <UploadRow key={upload.key} upload={upload} />
        ))}
        {materials.map((material) => (
          <MaterialRow key={material.id} material={material} />
        ))}
      </ul>
      {library.moreMaterials.value && (
        <button type="button" class="quiet" onClick={() => void library.loadMoreMaterials()}>
          Show more
        </button>
      )}
    </>
  );
}

function Bar({ fraction, label }: { fraction: number | null; label: string }) {
  return <progress aria-label={label} max={1} {...(fraction === null ? {} : { value: fraction })} />;
}

function UploadRow({ upload }: { upload: Upload }) {
  const { library } = useApp();
  const going = upload.phase === "waiting" || upload.phase === "sending";
  const canRetry = upload.phase === "failed" || upload.phase === "cancelled";
  return (
    <li class="material" data-testid="upload-row" data-status={upload.phase}>
      <span class="name">{upload.name}</span>
      <span class={upload.phase === "failed" ? "state bad" : "state"}>{uploadSentence(upload)}</span>
      {going && (
        <Bar fraction={upload.size > 0 ? upload.sent / upload.size : null} label={`Upload of ${upload.name}`} />
      )}
      <span class="actions">
        {canRetry && (
          <IconAction icon="retry" label={`Send ${upload.name} again`} run={() => library.retryUpload(upload.key)} />
        )}
        {going ? (
          <IconAction icon="close" label={`Stop the upload of ${upload.name}`} run={() => library.stopUpload(upload.key)} />
        ) : (
          <IconAction icon="close" label={`Dismiss ${upload.name}`} run={() => library.dismissUpload(upload.key)} />
        )}
      </span>
    </li>
  );
}

function MaterialRow({ material }: { material: Material }) {
  const { library, evidence, notes, drawerOpen } = useApp();
  const going = isUnfinished(material);
  const readable = material.status === "ready" || material.status === "searchable";
  const canRetry = material.status === "failed" || material.status === "cancelled";
  const job = material.job_id;
  const open = (event: Event): void => {
    drawerOpen.value = false;
    void evidence.openMaterial(material.id, event.currentTarget as HTMLElement);
  };
  return (
    <li class="material" data-testid="material-row" data-status={material.status} data-material={material.id}>
      {readable ? (
        <button type="button" class="name link" onClick={open}>
          {material.title}
        </button>
      ) : (
        <span class="name">{material.title}</span>
      )}
      <span class={material.status === "failed" ? "state bad" : "state"}>{materialSentence(material)}</span>
      {readable && material.notice && <span class="state">{material.notice}</span>}
      {going && <Bar fraction={progressFraction(material.progress)} label={`Reading of ${material.title}`} />}
      <span class="actions">
        {readable && (
          <IconAction icon="note" label={`Make notes from ${material.title}`} run={() => void notes.make(material)} />
        )}
        {material.status === "ready" && (
          <IconAction icon="retry" label={`Read ${material.title} anew`} run={() => void library.readAgain(material)} />
        )}
        {canRetry && job && (
          <IconAction icon="retry" label={`Read ${material.title} again`} run={() => void library.retryJob(job)} />
        )}
        {going && job ? (
          <IconAction icon="close" label={`Cancel reading ${material.title}`} run={() => void library.cancelJob(job)} />
        ) : (
          <IconAction icon="trash" label={`Remove ${material.title}`} run={() => void library.deleteMaterial(material)} />
        )}
      </span>
    </li>
  );
}

function IconAction({ icon, label, run }: { icon: "retry" | "close" | "trash" | "note"; label: string; run: () => void }) {
  return (
    <button type="button" class="icon-button small" aria-label={label} title={label} onClick={run}>
      <Icon name={icon} size={16} />
    </button>
  );
}
