//! Replies of the inference calls: the fields that each example shows.

use crate::{decode, of_kind};
use scaigrid_types::*;
use serde_json::{Value, json};

#[test]
fn every_reply_of_the_reference_decodes() {
    for example in of_kind("response") {
        let (what, text) = (example.what.as_str(), example.text());
        let checked =
            [models_and_chat(what, text), other_inference(what, text), crate::platform::check(what, text)];
        let times = checked.into_iter().filter(|was_checked| *was_checked).count();
        assert_eq!(times, 1, "{what} has {times} cases");
    }
}

fn models_and_chat(what: &str, text: &str) -> bool {
    match what {
        "models of the quickstart" => {
            let models = decode(&ListModels::new(), text).unwrap();
            assert_eq!((models.items.len(), models.has_more()), (2, false));
            let (first, second) = (&models.items[0], &models.items[1]);
            assert_eq!(
                (first.slug.as_str(), first.max_output_tokens),
                ("scailabs/poolnoodle-omni", Some(32_768))
            );
            assert_eq!((first.context_window, &first.modality), (Some(256_000), &Some(Modality::Chat)));
            assert_eq!((second.display_name.as_deref(), second.max_output_tokens), (Some("GPT-4o"), None));
            assert_eq!(second.status, None);
        }
        "models of the reference" => {
            let models = decode(&ListModels::new(), text).unwrap();
            let model = &models.items[0];
            assert_eq!(model.status, Some(ModelStatus::Active));
            assert_eq!(model.health_status, Some(HealthStatus::Healthy));
            assert_eq!((model.active_backend_count, model.total_backend_count), (Some(2), Some(2)));
        }
        "models as a bare array" => {
            let models = decode(&ListModels::new(), text).unwrap();
            let slugs: Vec<_> = models.items.iter().map(|model| model.slug.as_str()).collect();
            assert_eq!(slugs, ["openai/gpt-4o", "scailabs/poolnoodle-omni", "openai/gpt-4o-mini"]);
            assert_eq!(models.next_cursor, None);
        }
        "one model" => {
            let model = decode(&GetModel::new("tenant/acme/summarizer"), text).unwrap();
            assert_eq!(model.slug, "tenant/acme/summarizer");
            assert_eq!(
                model.description.as_deref(),
                Some("Specialized summarization model for Acme content")
            );
            assert_eq!(model.input_price_per_mtok.unwrap().to_string(), "2.50");
            assert_eq!(model.output_price_per_mtok.unwrap().to_string(), "10.00");
            assert_eq!(model.default_params, Some(json!({"temperature": 0.3})));
        }
        "capabilities of a core" => {
            let model = decode(&GetModel::new("scaicore/acme/triage"), text).unwrap();
            assert_eq!(model.capabilities, Some(json!({"tool_use": true, "streaming": false})));
        }
        "chat reply as typed" | "chat reply skeleton" => {
            let chat = ChatRequest::new("m").user("a");
            let reply = decode(&chat, text).unwrap();
            assert_eq!(reply.text(), "Classic Carbonara Recipe Request");
            assert_eq!((reply.choices[0].index, &reply.choices[0].message.role), (0, &Role::Assistant));
            assert_eq!(reply.usage, Some(Usage::new(38, 6)));
            assert_eq!(decode(&ChatStreamRequest(&chat), text).unwrap(), reply);
            if what == "chat reply skeleton" {
                assert_eq!((reply.id.as_deref(), reply.created), (Some("chatcmpl-1"), Some(1_713_888_715)));
                assert_eq!(reply.object.as_deref(), Some("chat.completion"));
                assert_eq!(reply.model.as_deref(), Some("scailabs/poolnoodle-omni"));
                assert_eq!(reply.finish_reason(), Some(&FinishReason::Stop));
            }
        }
        _ => return false,
    }
    true
}

fn other_inference(what: &str, text: &str) -> bool {
    let transcribe = TranscribeRequest::new("m", Upload::bytes("a.mp3", b"ID3"));
    match what {
        "embeddings" => {
            let embeddings = decode(&EmbedRequest::new("m", ["a", "b"]), text).unwrap();
            assert_eq!(embeddings.vectors().collect::<Vec<_>>(), [&[0.25, 2.0][..], &[0.5, -1.0]]);
            assert_eq!(embeddings.model.as_deref(), Some("openai/text-embedding-3-small"));
            let usage = embeddings.usage.unwrap();
            assert_eq!(
                (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
                (Some(4), None, Some(4))
            );
        }
        "images by address" => {
            let images = decode(&GenerateImagesRequest::new("m", "p"), text).unwrap();
            let image = &images.data[0];
            assert_eq!(image.url.as_deref(), Some("https://scaigrid.scailabs.ai/media/x?token=t"));
            assert_eq!(image.revised_prompt.as_deref(), Some("A wide landscape painting"));
            assert!(image.b64_json.is_none() && image.decode_b64().is_none());
        }
        "images as base64" => {
            let images = decode(&GenerateImagesRequest::new("m", "p"), text).unwrap();
            assert_eq!(images.data[0].decode_b64(), Some(Ok(b"hi".to_vec())));
            assert_eq!(images.data[0].url, None);
        }
        "transcription" => {
            let transcription = decode(&transcribe, text).unwrap();
            assert_eq!((transcription.text.as_str(), transcription.language), ("Hello there.", None));
        }
        "verbose transcription" => {
            let transcription = decode(&transcribe, text).unwrap();
            assert_eq!((transcription.language.as_deref(), transcription.duration), (Some("en"), Some(1.5)));
            let segment = &transcription.segments.unwrap()[0];
            assert_eq!((segment.id, segment.start, segment.end), (Some(0), Some(0.0), Some(1.5)));
            assert_eq!(segment.text, "Hello there.");
            let words = transcription.words.unwrap();
            assert_eq!(
                (words[1].word.as_str(), words[1].start, words[1].end),
                ("there.", Some(0.7), Some(1.5))
            );
        }
        "generation with choices"
        | "generation with a message"
        | "generation with text"
        | "generation with content" => {
            let generation = decode(&GenerateRequest::new("m", "p"), text).unwrap();
            assert_eq!(generation.text(), "there was a fox.");
            assert_eq!(generation.usage, Some(Usage::new(4, 9)));
            if what == "generation with choices" {
                assert_eq!(
                    (generation.id.as_deref(), generation.choices[0].index),
                    (Some("cmpl-1"), Some(0))
                );
                assert_eq!(generation.choices[0].finish_reason, Some(FinishReason::Stop));
            }
        }
        "job" => {
            for job in [
                decode(&GetBatch::new("batch_1"), text).unwrap(),
                decode(&CancelBatch::new("batch_1"), text).unwrap(),
                decode(&SubmitBatch::from_url("u"), text).unwrap(),
            ] {
                assert_eq!((job.id.as_str(), &job.status), ("batch_1", &Some(BatchStatus::InProgress)));
                assert_eq!((job.progress(), job.is_final()), (Some(0.75), false));
                assert_eq!(job.output_file_url.as_deref(), Some("https://x.example/out"));
                assert_eq!(job.error_file_url.as_deref(), Some("https://x.example/err"));
                assert_eq!(job.metadata.unwrap().get("project"), Some(&json!("p")));
                assert!(job.extra.is_empty());
            }
        }
        "job by its other names" => {
            let job = decode(&GetBatch::new("batch_1"), text).unwrap();
            assert_eq!((job.id.as_str(), job.is_final()), ("batch_1", true));
            assert_eq!(job.output_file_url.as_deref(), Some("https://x.example/out"));
        }
        _ => return false,
    }
    true
}

#[test]
fn every_result_line_decodes() {
    for example in of_kind("batch_result") {
        let result = BatchResult::from_line(example.text().as_bytes()).unwrap();
        match example.what.as_str() {
            "result line" => {
                assert_eq!((result.custom_id.as_str(), result.is_success()), ("req-1", true));
                assert_eq!(result.data::<ChatCompletion>().unwrap().text(), "Short.");
                assert_eq!(result.response.unwrap().status_code, Some(200));
            }
            "failed line" => {
                assert_eq!((result.custom_id.as_str(), result.is_success()), ("req-3", false));
                let Err(ReplyError::Api(failure)) = result.data::<Value>() else { panic!("{result:?}") };
                assert_eq!(failure.error.code, Some(ErrorCode::ModelNotFound));
            }
            other => panic!("no case for {other}"),
        }
    }
}
