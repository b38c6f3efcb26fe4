"""Everything the platform can do. Adding an action is adding one line here."""

from collections.abc import Mapping
from types import MappingProxyType

from tools.actions import account, bin, classes, collections, conversations, data, jobs, materials, search
from tools.spec import ToolSpec

TOOLS: tuple[ToolSpec, ...] = (
    classes.list_classes,
    classes.create_class,
    classes.update_class,
    classes.delete_class,
    materials.upload_material,
    materials.add_text,
    materials.list_materials,
    materials.get_material,
    materials.read_material,
    materials.delete_material,
    materials.restore_material,
    search.search_materials,
    search.open_passage,
    jobs.list_jobs,
    jobs.get_job,
    jobs.cancel_job,
    jobs.retry_job,
    conversations.list_conversations,
    conversations.get_conversation,
    collections.chroma_list_collections,
    collections.chroma_get_collection_info,
    collections.chroma_count_documents,
    collections.chroma_peek_documents,
    collections.chroma_get_documents,
    collections.chroma_search,
    collections.chroma_diagnose_collection,
    data.data_list_tables,
    data.data_describe_table,
    data.data_query,
    account.get_profile,
    account.update_profile,
    account.list_api_keys,
    account.create_api_key,
    account.revoke_api_key,
    account.export_my_data,
    account.delete_my_account,
    bin.list_deleted_items,
    bin.restore_item,
)

CATALOG: Mapping[str, ToolSpec] = MappingProxyType({spec.name: spec for spec in TOOLS})
