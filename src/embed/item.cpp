#include "embed/item.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "embed/media_kind.hpp"

namespace moa {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{2} << 30;

// What a message calls the input; nothing for bytes, whose name the caller knows. Of a text its beginning, so
// that a page of it does not hide what is wrong.
std::string subject_of(const Input& input) {
  constexpr std::size_t kShownBytes = 60;
  if (input.kind == Input::Kind::bytes) return {};
  if (input.kind == Input::Kind::file) return "cannot embed '" + input.value + "': ";
  std::size_t end = std::min(input.value.size(), kShownBytes);
  while (end > 0 && end < input.value.size() && (input.value[end] & 0xC0) == 0x80) --end;
  return "cannot embed the text '" + replace_ill_formed(std::string_view(input.value).substr(0, end)) +
         (end < input.value.size() ? "…': " : "': ");
}

void prepare_text_item(const LoadedModel& model, const Input& input, const EmbedOptions& options,
                       PreparedItem& item) {
  item.key = (options.raw ? "raw " : "unit ") + model.with_prompt(input.value, options.prompt);
  item.known = model.text_cache().find(item.key);
  if (item.known && static_cast<std::int64_t>(item.known->vector.size()) != model.facts().dim())
    item.known.reset();
  if (!item.known) item.content = model.prepare_text(input.value, options.prompt);
}

void prepare_picture(const LoadedModel& model, std::span<const std::byte> content,
                     const EmbedOptions& options, VectorMemory& pictures, PreparedItem& item) {
  item.key = content_hash(content);
  item.known = pictures.find(item.key);
  if (!item.known) item.content = model.prepare_image(content, options.max_megapixels);
}

void prepare_media(const LoadedModel& model, std::string_view content, const EmbedOptions& options,
                   VectorMemory& pictures, PreparedItem& item) {
  const MediaKind kind = sniff_media(as_bytes(content));
  switch (kind) {
    case MediaKind::picture:
      item.modality = Modality::image;
      prepare_picture(model, as_bytes(content), options, pictures, item);
      return;
    case MediaKind::text:
      throw Error(ErrorCode::invalid_argument,
                  "found a text file, expected a picture; texts come by --text and --texts-file");
    case MediaKind::audio:
    case MediaKind::video:
      item.modality = kind == MediaKind::audio ? Modality::audio : Modality::video;
      throw Error(ErrorCode::unsupported,
                  "found a " + std::string(name(kind)) + " file, for which the model has no tower");
    case MediaKind::unknown:
      break;
  }
  throw Error(ErrorCode::unsupported, content.empty() ? "found an empty file, expected a picture"
                                                      : "found no known kind of file, expected a picture");
}

}  // namespace

PreparedItem prepare_item(const LoadedModel& model, const Input& input, const EmbedOptions& options,
                          VectorMemory& pictures) noexcept {
  PreparedItem item;
  item.modality = input.kind == Input::Kind::text ? Modality::text : Modality::image;
  const std::string subject = subject_of(input);
  try {
    switch (input.kind) {
      case Input::Kind::text:
        prepare_text_item(model, input, options, item);
        return item;
      case Input::Kind::file:
        prepare_media(model, read_file(input.value, kMaxFileBytes), options, pictures, item);
        return item;
      case Input::Kind::bytes:
        prepare_media(model, input.value, options, pictures, item);
        return item;
    }
  } catch (const Error& error) {
    const bool names_it = input.kind == Input::Kind::file &&
                          std::string_view(error.what()).find(input.value) != std::string_view::npos;
    item.error = names_it ? error : Error(error.code(), subject + error.what());
  } catch (const std::bad_alloc&) {
    item.error = Error(ErrorCode::limit_exceeded, subject + "not enough memory");
  } catch (const std::exception& error) {
    item.error = Error(ErrorCode::internal, subject + error.what());
  }
  item.content = std::monostate();
  return item;
}

}  // namespace moa
