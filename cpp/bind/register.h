// What each file of bind/ adds to the module: one register_x.cc a part.
#pragma once

#include <pybind11/pybind11.h>

namespace llmr {

void RegisterExceptions(pybind11::module_& module);
void RegisterEngine(pybind11::module_& module);
void RegisterGguf(pybind11::module_& module);
void RegisterQuantize(pybind11::module_& module);
void RegisterTesting(pybind11::module_& module);
void RegisterTestingEngine(pybind11::module_& testing);
void RegisterTestingKv(pybind11::module_& testing);
void RegisterTestingModel(pybind11::module_& testing);
void RegisterTestingText(pybind11::module_& testing);

}  // namespace llmr
