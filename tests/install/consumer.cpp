// A program of somebody else: finds the installed library, embeds a picture and a text, and searches.
#include <moa/moa.hpp>

#include <cstdio>
#include <filesystem>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    const moa::Model model = moa::Model::load("moa-mini");
    const std::vector<std::filesystem::path> paths(argv + 1, argv + argc);
    const moa::Vectors images = model.embed_images(paths);
    for (const moa::Hit& hit : moa::top(images, model.embed_text("강아지"), 1)) {
      std::printf("%s\n", paths[hit.index].c_str());
    }
  } catch (const moa::Error& error) {
    std::fprintf(stderr, "%s: %s\n", std::string(moa::name(error.code())).c_str(), error.what());
    return 1;
  }
}
