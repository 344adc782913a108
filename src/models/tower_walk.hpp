// What a tower asks of an interpreter, without an input: for interpreters that write calls down.
#pragma once

#include "models/embedding_model.hpp"
#include "tensor/interpreter.hpp"

namespace moa {

// Forwards a tower on inputs that hold nothing but, of pictures, their sizes. Nothing happens where the model
// has no such tower. Errors: those of the interpreter.
void walk_text(const EmbeddingModel& model, Interpreter& ops);
void walk_image(const EmbeddingModel& model, Interpreter& ops);
// The same up to the towers' heads; of a tower that takes patches the whole.
void walk_text_trunk(const EmbeddingModel& model, Interpreter& ops);
void walk_image_trunk(const EmbeddingModel& model, Interpreter& ops);

}  // namespace moa
