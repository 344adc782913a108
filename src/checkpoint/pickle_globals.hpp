// The names that a pickle of tensors may import, and what calling each does. Nothing else is known, and
// nothing is ever looked up outside this list.
#pragma once

#include <string>
#include <string_view>

#include "checkpoint/pickle.hpp"

namespace moa {

// "MODULE.NAME" as a value. Error: unsupported, naming it, if it is not on the list.
PickleValue import_global(std::string_view module, std::string_view name, const std::string& where);

// The value of `callable(*arguments)`. Errors: corrupt_data if the arguments are not those that it takes.
PickleValue::Id call_global(Pickle& pickle, PickleValue::Id callable, PickleValue::Id arguments,
                            const std::string& where);

// The storage that a persistent id, ('storage', type, key, device, elements), stands for.
// Error: corrupt_data if it is of another form.
PickleValue load_storage(Pickle& pickle, const PickleValue& id, const std::string& where);

}  // namespace moa
