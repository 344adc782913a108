// embed: from files and texts to vectors. The only room that knows both files and models: it loads a model
// directory, picks the processors that it names, decodes while the model runs, and turns one bad item into
// that item's error. It knows no index and no command. This header: what a file holds, decided by its first
// bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace moa {

enum class MediaKind { picture, audio, video, text, unknown };

// "picture", …
std::string_view name(MediaKind kind) noexcept;

// How many bytes of a file sniff_media wants to see; fewer, if the file is shorter.
inline constexpr std::size_t kMediaSniffBytes = 4096;

// `text` where nothing else fits and the bytes are UTF-8 without NUL (cut anywhere). An empty file is
// unknown.
MediaKind sniff_media(std::span<const std::byte> first_bytes) noexcept;

}  // namespace moa
