/// What settings of PEFT, transformers, TRL and LLaMA-Factory are called here.
package enum ForeignName {
    package enum Meaning: Equatable, Sendable {
        /// A setting of ours, and what the name alone says of it.
        case setting(String, value: String? = nil)
        /// No setting: what happens, or what to use, in a sentence. Flags stand in backquotes.
        case none(String)
    }

    /// What a name means, whether it is written with `_` or with `-`.
    package static func meaning(of name: String) -> Meaning? { meanings[spelling(name)] }

    /// What a name means to a command, which has some of the settings.
    package static func meaning(of name: String, where isSetting: (String) -> Bool) -> Meaning? {
        guard let meaning = meaning(of: name) else { return nil }
        guard case .setting(let setting, let value) = meaning, !isSetting(setting),
            let other = alternatives[setting], isSetting(other)
        else { return meaning }
        return .setting(other, value: value)
    }

    /// What a setting is called by a command that does more than the others with it.
    private static let alternatives = ["adapter": "from-adapter"]

    /// Every name of the table, as it is looked up.
    package static var names: [String] { meanings.keys.sorted() }

    private static func spelling(_ name: String) -> String {
        String(name.lowercased().map { $0 == "_" ? "-" : $0 })
    }

    private static let meanings: [String: Meaning] = {
        var meanings: [String: Meaning] = [:]
        for (names, meaning) in settings.map({ ($0, Meaning.setting($1)) }) + answers {
            for name in names.split(separator: " ") { meanings[spelling(String(name))] = meaning }
        }
        return meanings
    }()

    /// Names, with spaces between them, and the setting of ours that they all are.
    private static let settings: [(String, String)] = [
        // The model and its data.
        (
            "model_name_or_path model_name pretrained_model_name_or_path base_model model_id",
            "model"
        ),
        ("model_revision", "revision"),
        ("dataset dataset_name dataset_dir dataset_path data_path data_dir train_file", "data"),
        ("train_dataset train_data training_data", "data"),
        ("eval_dataset eval_data validation_file validation_data val_data", "dev-data"),
        ("val_size validation_split validation_split_percentage eval_split", "dev-share"),
        ("task_name", "task"),
        ("template chat_template_path chat_template_name", "chat-template"),
        ("chat_template_kwargs", "template-variables"),
        ("dataset_text_field columns", "field"),
        ("assistant_only_loss completion_only_loss train_on_inputs train_on_prompt", "train-on"),
        (
            "max_seq_length max_seq_len cutoff_len model_max_length block_size seq_length",
            "max-length"
        ),
        ("pack", "packing"),
        ("max_eval_samples max_predict_samples", "limit"),
        ("label_smoothing_factor", "label-smoothing"),
        // Where results go.
        ("output_dir save_dir save_path output_path", "output"),
        ("overwrite_output_dir", "overwrite"),
        ("resume_from_checkpoint", "resume"),
        // Steps and rates.
        ("lr", "learning-rate"),
        ("num_train_epochs num_epochs n_epochs max_epochs", "epochs"),
        ("max_steps num_train_steps train_steps num_training_steps", "steps"),
        ("per_device_train_batch_size per_gpu_train_batch_size train_batch_size", "batch-size"),
        ("micro_batch_size per_device_batch_size bs", "batch-size"),
        (
            "gradient_accumulation_steps grad_accum_steps accumulate_grad_batches",
            "gradient-accumulation"
        ),
        ("lr_scheduler_type lr_scheduler scheduler lr_schedule", "schedule"),
        ("num_warmup_steps", "warmup-steps"),
        ("max_grad_norm gradient_clipping clip_grad_norm grad_clip", "gradient-limit"),
        ("beta1", "adam-beta1"),
        ("beta2", "adam-beta2"),
        ("adam_eps", "adam-epsilon"),
        ("data_seed random_seed", "seed"),
        // Scores, checkpoints and the log.
        ("eval_steps", "evaluation-steps"),
        ("save_steps checkpoint_every save_interval", "checkpoint-steps"),
        ("log_steps log_every_n_steps log_interval", "logging-steps"),
        ("load_best_model_at_end", "keep-best"),
        ("early_stopping_patience early_stopping_steps", "patience"),
        // Memory and numbers.
        ("gradient_checkpointing use_gradient_checkpointing", "activation-checkpointing"),
        ("torch_dtype model_dtype compute_dtype precision mixed_precision", "dtype"),
        ("num_threads n_threads", "threads"),
        ("device_map", "device"),
        // Methods.
        ("finetuning_type peft_type peft_method tuner adapter_type", "method"),
        ("r lora_r lora_rank galore_rank adalora_init_r", "rank"),
        ("lora_alpha", "alpha"),
        ("lora_dropout vera_dropout", "dropout"),
        ("use_rs_lora rslora", "use-rslora"),
        ("init_lora_weights", "init-weights"),
        ("lora_target lora_target_modules target_modules galore_target lora_modules", "targets"),
        ("exclude_modules", "exclude-targets"),
        ("layers_to_transform", "target-blocks"),
        ("additional_target lora_modules_to_save", "modules-to-save"),
        ("num_virtual_tokens", "virtual-tokens"),
        ("galore_update_interval update_proj_gap_steps", "update-proj-gap"),
        ("adapter_name_or_path peft_model_id peft_model lora_path lora_weights", "adapter"),
        // Generating.
        ("max_new_tokens num_predict max_length", "max-tokens"),
        ("min_new_tokens", "min-tokens"),
        ("num_beams beam_size", "beams"),
        ("num_return_sequences", "return"),
        ("no_repeat_ngram_size", "no-repeat-ngram"),
        ("stop_strings stop_sequences", "stop"),
        ("system_prompt", "system"),
    ]

    /// Names that say a value too, and those of what is no setting here.
    private static let answers: [(String, Meaning)] = [
        ("bf16 pure_bf16", .setting("dtype", value: "bfloat16")),
        ("fp32", .setting("dtype", value: "float32")),
        ("fp16", .none("gradients leave float16's range; use `dtype` bfloat16 or float32")),
        ("tf32", .none("products are made in the type that `dtype` names")),
        ("use_dora", .setting("method", value: "dora")),
        ("use_galore", .setting("method", value: "galore")),
        ("use_lora", .setting("method", value: "lora")),
        ("use_loraplus", .setting("method", value: "lora-plus")),
        ("optim optimizer", .none("the optimizer is AdamW, or what `method` brings with it")),
        (
            "report_to logging_dir plot_loss log_with run_name",
            .none("each run writes train.jsonl, result.json and loss.svg into its `output` folder")
        ),
        (
            "eval_strategy evaluation_strategy",
            .none("scores come after every epoch, or as `evaluation-steps` says")
        ),
        (
            "save_strategy save_total_limit",
            .none("checkpoints come as `checkpoint-steps` says")
        ),
        (
            "metric_for_best_model greater_is_better",
            .none("`keep-best` and `patience` go by the dev loss")
        ),
        (
            "per_device_eval_batch_size eval_batch_size per_gpu_eval_batch_size",
            .none("batches of a score are chosen here, and change no number")
        ),
        ("stage", .none("`task` instruct is supervised fine-tuning, `task` text is pretraining")),
        ("do_train", .none("`duallora train` trains")),
        ("do_eval do_predict", .none("`duallora evaluate` scores")),
        ("do_sample", .none("`temperature`, `top-k`, `top-p` or `min-p` draw tokens")),
        (
            "load_in_4bit load_in_8bit quantization_bit quantization",
            .none("weights are not quantized; `dtype` bfloat16 takes two bytes a weight")
        ),
        (
            "trust_remote_code use_fast_tokenizer",
            .none("no code of a model's folder is run; tokenizers are read from tokenizer.json")
        ),
        (
            "push_to_hub hub_model_id hub_token",
            .none("nothing is uploaded; the `output` folder is one that the hub takes")
        ),
        (
            "deepspeed fsdp ddp_timeout local_rank",
            .none("a run is one process on one device")
        ),
        (
            "dataloader_num_workers preprocessing_num_workers num_proc",
            .none("`threads` says how many threads there are")
        ),
        ("group_by_length", .none("`packing` leaves no padding")),
        ("remove_unused_columns overwrite_cache", .none("there is nothing to set")),
    ]
}
