//! The named methods of both clients, each declared once.
//!
//! A call that is not here goes through `send`, `send_stream`, or `download` with its endpoint.

/// Hands the list to `$define`, which makes methods of it: `async_doors` or `blocking_doors`.
macro_rules! doors {
    ($define:ident) => {
        $define! {
            calls {
                /// A chat completion: `POST /v1/inference/chat`.
                chat(request: &ChatRequest) -> ChatCompletion = request;

                /// The vectors of texts: `POST /v1/inference/embed`.
                embed(request: &EmbedRequest) -> Embeddings = request;

                /// Continues a text: `POST /v1/inference/generate`.
                generate(request: &GenerateRequest) -> Generation = request;

                /// Makes images: `POST /v1/inference/images/generate`. See [`download_image`](Self::download_image).
                generate_images(request: &GenerateImagesRequest) -> GeneratedImages = request;

                /// Writes down what is said in a recording: `POST /v1/inference/audio/transcribe`.
                transcribe(request: &TranscribeRequest) -> Transcription = request;

                /// Submits a batch: `POST /v1/inference/batch`. See [`wait_for_batch`](Self::wait_for_batch).
                submit_batch(request: &SubmitBatch) -> BatchJob = request;

                /// One page of batches: `GET /v1/inference/batch`.
                batches(request: &ListBatches) -> Page<BatchJob> = request;

                /// How a batch is doing: `GET /v1/inference/batch/{batch_id}`.
                batch(batch_id: impl Into<String>) -> BatchJob = &GetBatch::new(batch_id);

                /// Cancels a batch: `POST /v1/inference/batch/{batch_id}/cancel`.
                cancel_batch(batch_id: impl Into<String>) -> BatchJob = &CancelBatch::new(batch_id);

                /// One page of the models that the caller can see: `GET /v1/models`.
                models(request: &ListModels) -> Page<Model> = request;

                /// One model by slug: `GET /v1/models/{slug}`. `MODEL_NOT_FOUND` for an unknown slug.
                model(slug: impl Into<String>) -> Model = &GetModel::new(slug);

                /// Opens a session: `POST /v1/sessions`.
                create_session(request: &CreateSession) -> Session = request;

                /// One page of sessions: `GET /v1/sessions`.
                sessions(request: &ListSessions) -> Page<Session> = request;

                /// One session with all its messages: `GET /v1/sessions/{id}`.
                session(id: impl Into<String>) -> Session = &GetSession::new(id);

                /// Changes a session: `PATCH /v1/sessions/{id}`.
                update_session(request: &UpdateSession) -> Session = request;

                /// Closes a session, so that it takes no messages: `PATCH /v1/sessions/{id}`.
                close_session(id: impl Into<String>) -> Session = &UpdateSession::new(id).status(SessionStatus::Closed);

                /// Deletes a session, softly: `DELETE /v1/sessions/{id}`.
                delete_session(id: impl Into<String>) -> () = &DeleteSession::new(id);

                /// Says something in a session: `POST /v1/sessions/{id}/messages`.
                send_session_message(request: &SendSessionMessage) -> SessionReply = request;

                /// Opens a room: `POST /v1/rooms`.
                create_room(request: &CreateRoom) -> Room = request;

                /// One page of the caller's rooms: `GET /v1/rooms`.
                rooms(request: &ListRooms) -> Page<Room> = request;

                /// One room with its members and recent messages: `GET /v1/rooms/{room_id}`.
                room(room_id: impl Into<String>) -> Room = &GetRoom::new(room_id);

                /// Changes a room: `PATCH /v1/rooms/{room_id}`.
                update_room(request: &UpdateRoom) -> Room = request;

                /// Archives a room: `DELETE /v1/rooms/{room_id}`.
                archive_room(room_id: impl Into<String>) -> () = &ArchiveRoom::new(room_id);

                /// Adds a member to a room: `POST /v1/rooms/{room_id}/members`.
                add_room_member(request: &AddRoomMember) -> () = request;

                /// Says something in a room: `POST /v1/rooms/{room_id}/messages`. Assumed, unverified.
                send_room_message(request: &SendRoomMessage) -> RoomMessage = request;

                /// One page of usage records: `GET /v1/accounting/usage`.
                usage_records(request: &ListUsage) -> Page<UsageRecord> = request;

                /// What the gateway counted: `GET /v1/accounting/usage/summary`.
                usage_summary(request: &UsageSummaryQuery) -> UsageSummary = request;

                /// One page of budgets: `GET /v1/accounting/budgets`.
                budgets(request: &ListBudgets) -> Page<Budget> = request;

                /// One budget with what is used of it: `GET /v1/accounting/budgets/{budget_id}`.
                budget(budget_id: impl Into<String>) -> Budget = &GetBudget::new(budget_id);

                /// Makes an API key, and gives the key itself this once: `POST /v1/api-keys`.
                create_api_key(request: &CreateApiKey) -> CreatedApiKey = request;

                /// One page of the caller's API keys: `GET /v1/api-keys`.
                api_keys(request: &ListApiKeys) -> Page<ApiKey> = request;

                /// Revokes an API key: `DELETE /v1/api-keys/{key_id}`.
                revoke_api_key(key_id: impl Into<String>) -> () = &RevokeApiKey::new(key_id);

                /// Makes a webhook: `POST /v1/webhooks`.
                create_webhook(request: &CreateWebhook) -> Webhook = request;

                /// One page of webhooks: `GET /v1/webhooks`.
                webhooks(request: &ListWebhooks) -> Page<Webhook> = request;

                /// One webhook: `GET /v1/webhooks/{webhook_id}`.
                webhook(webhook_id: impl Into<String>) -> Webhook = &GetWebhook::new(webhook_id);

                /// Replaces a webhook: `PUT /v1/webhooks/{webhook_id}`.
                update_webhook(request: &UpdateWebhook) -> Webhook = request;

                /// Deletes a webhook: `DELETE /v1/webhooks/{webhook_id}`.
                delete_webhook(webhook_id: impl Into<String>) -> () = &DeleteWebhook::new(webhook_id);

                /// Delivers a test event: `POST /v1/webhooks/{webhook_id}/test`.
                test_webhook(webhook_id: impl Into<String>) -> WebhookTest = &TestWebhook::new(webhook_id);

                /// One page of a webhook's deliveries: `GET /v1/webhooks/{webhook_id}/deliveries`.
                webhook_deliveries(request: &ListDeliveries) -> Page<Delivery> = request;

                /// Who the caller is: `GET /v1/me`.
                me() -> Profile = &GetMe;

                /// One page of the audit log: `GET /v1/audit-log`.
                audit_log(request: &ListAuditLog) -> Page<AuditEntry> = request;

                /// Whether the gateway lives: `GET /health`. Sends no credential.
                health() -> Health = &GetHealth;

                /// Whether the gateway takes calls: `GET /health/ready`. A 503 is an answer. Sends no credential.
                readiness() -> Readiness = &GetReadiness;

                /// How all parts of the gateway are, for administrators: `GET /health/detailed`.
                detailed_health() -> Value = &GetDetailedHealth;

                /// Measurements in the Prometheus text format: `GET /metrics`. Sends no credential.
                metrics() -> String = &GetMetrics;

                /// Makes a collection: `POST /v1/modules/scaimatrix/collections`.
                create_collection(request: &CreateCollection) -> Collection = request;

                /// One page of collections: `GET /v1/modules/scaimatrix/collections`.
                collections(request: &ListCollections) -> Page<Collection> = request;

                /// One collection: `GET /v1/modules/scaimatrix/collections/{id}`.
                collection(id: impl Into<String>) -> Collection = &GetCollection::new(id);

                /// Changes a collection: `PUT /v1/modules/scaimatrix/collections/{id}`.
                update_collection(request: &UpdateCollection) -> Collection = request;

                /// Deletes a collection: `DELETE /v1/modules/scaimatrix/collections/{id}`.
                delete_collection(id: impl Into<String>) -> () = &DeleteCollection::new(id);

                /// Copies a collection: `POST /v1/modules/scaimatrix/collections/{id}/fork`.
                fork_collection(id: impl Into<String>) -> Collection = &ForkCollection::new(id);

                /// Adds a document: `POST /v1/modules/scaimatrix/collections/{id}/documents`. See
                /// [`wait_until_indexed`](Self::wait_until_indexed).
                upload_document(request: &UploadDocument) -> Document = request;

                /// One page of a collection's documents: `GET /v1/modules/scaimatrix/collections/{id}/documents`.
                documents(request: &ListDocuments) -> Page<Document> = request;

                /// One document: `GET /v1/modules/scaimatrix/collections/{id}/documents/{doc_id}`.
                document(collection_id: impl Into<String>, document_id: impl Into<String>) -> Document =
                    &GetDocument::new(collection_id, document_id);

                /// Deletes a document: `DELETE /v1/modules/scaimatrix/collections/{id}/documents/{doc_id}`.
                delete_document(collection_id: impl Into<String>, document_id: impl Into<String>) -> () =
                    &DeleteDocument::new(collection_id, document_id);

                /// Searches a collection: `POST /v1/modules/scaimatrix/collections/{id}/search`.
                search_collection(request: &SearchCollection) -> SearchResults = request;
            }
            streams {
                /// A chat completion as it comes: `POST /v1/inference/chat` with `"stream": true`.
                chat_stream(request: &ChatRequest) = &ChatStreamRequest(request);

                /// What the assistant says in a session as it comes: `POST /v1/sessions/{id}/messages` with
                /// `"stream": true`.
                stream_session_message(request: &SendSessionMessage) = &StreamSessionMessage(request);
            }
            downloads {
                /// Speaks a text: `POST /v1/inference/audio/synthesize`.
                synthesize(request: &SynthesizeRequest) = request;

                /// Usage as a file: `GET /v1/accounting/export`.
                export_usage(request: &ExportUsage) = request;

                /// The audit log as a file: `GET /v1/audit-log/export`.
                export_audit_log(request: &ExportAuditLog) = request;
            }
        }
    };
}

#[cfg(feature = "async")]
macro_rules! async_doors {
    (
        calls { $( $(#[doc = $doc:literal])* $call:ident($($arg:ident: $type:ty),*) -> $reply:ty = $endpoint:expr; )* }
        streams { $( $(#[doc = $sdoc:literal])* $stream:ident($sarg:ident: $stype:ty) = $streamed:expr; )* }
        downloads { $( $(#[doc = $ddoc:literal])* $download:ident($darg:ident: $dtype:ty) = $file:expr; )* }
    ) => {
        /// Named calls: [`send`](Self::send), [`send_stream`](Self::send_stream), and [`download`](Self::download) with the
        /// endpoint at hand.
        impl crate::Client {
            $(
                $(#[doc = $doc])*
                ///
                /// # Errors
                /// As [`send`](Self::send).
                pub async fn $call(&self $(, $arg: $type)*) -> Result<crate::Reply<$reply>, crate::Error> {
                    self.send($endpoint).await
                }
            )*
            $(
                $(#[doc = $sdoc])*
                ///
                /// # Errors
                /// As [`send_stream`](Self::send_stream).
                pub async fn $stream(&self, $sarg: $stype) -> Result<crate::ChatStream, crate::Error> {
                    self.send_stream($streamed).await
                }
            )*
            $(
                $(#[doc = $ddoc])*
                ///
                /// # Errors
                /// As [`download`](Self::download).
                pub async fn $download(&self, $darg: $dtype) -> Result<crate::Download, crate::Error> {
                    self.download($file).await
                }
            )*
        }
    };
}

#[cfg(feature = "blocking")]
macro_rules! blocking_doors {
    (
        calls { $( $(#[doc = $doc:literal])* $call:ident($($arg:ident: $type:ty),*) -> $reply:ty = $endpoint:expr; )* }
        streams { $( $(#[doc = $sdoc:literal])* $stream:ident($sarg:ident: $stype:ty) = $streamed:expr; )* }
        downloads { $( $(#[doc = $ddoc:literal])* $download:ident($darg:ident: $dtype:ty) = $file:expr; )* }
    ) => {
        /// Named calls: [`send`](Self::send), [`send_stream`](Self::send_stream), and [`download`](Self::download) with the
        /// endpoint at hand.
        impl crate::blocking::Client {
            $(
                $(#[doc = $doc])*
                ///
                /// # Errors
                /// As [`send`](Self::send).
                pub fn $call(&self $(, $arg: $type)*) -> Result<crate::Reply<$reply>, crate::Error> {
                    self.send($endpoint)
                }
            )*
            $(
                $(#[doc = $sdoc])*
                ///
                /// # Errors
                /// As [`send_stream`](Self::send_stream).
                pub fn $stream(&self, $sarg: $stype) -> Result<crate::blocking::ChatStream, crate::Error> {
                    self.send_stream($streamed)
                }
            )*
            $(
                $(#[doc = $ddoc])*
                ///
                /// # Errors
                /// As [`download`](Self::download).
                pub fn $download(&self, $darg: $dtype) -> Result<crate::blocking::Download, crate::Error> {
                    self.download($file)
                }
            )*
        }
    };
}

use scaigrid_types::*;
use serde_json::Value;

#[cfg(feature = "async")]
doors!(async_doors);
#[cfg(feature = "blocking")]
doors!(blocking_doors);
